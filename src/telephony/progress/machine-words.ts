/** What voicemail boxes say. */
const VOICEMAIL =
  /(嘀|滴|哔|提示音|信号音).{0,4}(声|音)?(之?后|后).{0,4}(留言|录音)|请.{0,6}留(言|下您?的?(口信|留言))|语音(信箱|邮箱)|留言信箱|开始(留言|录音)|leave (a|me a|your|us a) (message|name)|(after|at|wait for) the (tone|beep)|voice ?mail|record your message|can'?t (come to|take|answer) (the|your|my) (phone|call)/i;

/** What call assistants of handsets and carriers say, iOS and Pixel call screening among them. */
const ASSISTANT =
  /(智能|语音|AI|来电|通信|通话|云)(接听|通话|语音|来电)?(助理|助手|秘书|管家)|机主(现在|暂时|正在|不方便|无法)|代(为)?接听|帮.{0,4}(转达|转告|记录)|(说|告诉我?)(出|一下)?(您|你)的(姓名|名字)(和|及|以及|与)(来电|致电)|看看?(此人|对方|他|她)是否(可以|方便)接听|call (assistant|screening)|screening service|virtual assistant|(record|state|say) your name and (the )?reason (for|why)|see if (this person|they'?re|the person) (is )?available|(google|apple) (assistant|call)/i;

/** What menus of companies say. */
const IVR =
  /(请|，|,|。|^|\s)按\s?([0-9零一二两三四五六七八九]|星号|井号)|(咨询|办理|查询|人工|业务|投诉|中文|普通话)(服务)?请?按|请(直拨|输入|拨)分机号?|for .{2,40},? press|press (one|two|three|[0-9])( |,|\.|$)|dial (your party|the extension)|listen (carefully )?(to|as) (the |our )?(following )?(menu|options)/i;

/** The machine that a text of the callee gives away; the most telling words first. */
export function machineWords(text: string): 'voicemail' | 'call-assistant' | 'ivr' | undefined {
  if (ASSISTANT.test(text)) return 'call-assistant';
  if (VOICEMAIL.test(text)) return 'voicemail';
  return IVR.test(text) ? 'ivr' : undefined;
}
