import type { GlobalKind, Match } from '#domain/script.ts';

/** Phrases written in lines, parted by bars, so that a reader sees them side by side. */
function phrases(...lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split('|'));
}

/** Phrases that mean the same in every script; a script's own `match` of a handler adds to them. */
export const BUILT_IN_GLOBALS: Readonly<Partial<Record<GlobalKind, Match>>> = {
  'opt-out': {
    keywords: phrases(
      '不要再打|别再打|别打了|不要打了|不要打电话|别给我打|不要给我打|不用再打|不许再打|以后别打|以后不要打|以后不用打',
      '勿扰|拉黑|加入黑名单|退订|别再联系|不要再联系|别骚扰|骚扰电话|不要骚扰|再打我就投诉|再打就投诉|不要再来电',
      "取消通知|stop calling|do not call|don't call|take me off",
      'remove me from|remove my number|unsubscribe|never call',
      'opt out|no more calls',
    ),
    pinyin: phrases('不要再打了|别再打电话了|以后不要打了|不要再给我打电话'),
    not: phrases('打错|打扰到你|是不是骚扰|骚扰电话吗'),
  },
  'want-human': {
    keywords: phrases(
      '转人工|人工客服|人工服务|找人工|接人工|要人工|真人|找客服|转客服|叫你们经理|找你们经理|人来跟我说|换个人',
      '跟人说|活人|不想跟机器人|不跟机器人|不想和机器人|real person|human agent',
      'talk to someone|speak to someone|talk to a human',
      'speak to a human|representative|operator|speak to a person',
      'your manager',
    ),
    pinyin: phrases('转人工|人工客服|转接人工|我要找人工'),
    not: phrases('是真人吗|是不是真人|真人还是|你真人吗|还是真人'),
  },
  busy: {
    keywords: phrases(
      '在开会|开会呢|正开会|在开车|开车呢|正开车|在忙|正忙|忙着呢|很忙|没空|没时间|不方便|不太方便|晚点再打|晚点打',
      '等会再打|等会儿再打|待会再打|待会儿再打|一会再打|一会儿再打|回头再打|改天再打|过会再打|过会儿再打|迟点再打',
      "再打给我|在上班|在上课|在医院|i'm busy|i am busy|in a meeting|driving",
      'call me later|call me back|call back|bad time|not a good time',
      'at work right now|busy right now',
    ),
    pinyin: phrases('我在开会|我在开车|现在不方便|现在没有空|等会儿再打'),
    not: phrases('有什么不方便|不忙'),
  },
  repeat: {
    keywords: phrases(
      '再说一遍|再说一次|重复一遍|重新说|没听清|听不清|没听见|听不见|没听懂|你说什么|说慢一点|说慢点|大声点|大点声',
      "什么意思|say that again|repeat that|come again|didn't hear",
      "did not hear|can't hear|cannot hear|pardon|speak up",
      'say it again',
    ),
    exact: phrases('什么|啥|你说啥|啊什么|what|sorry|excuse me|喂喂|喂喂喂|喂听得见吗|听得到吗'),
    pinyin: phrases('再说一遍|没有听清楚|重复一遍'),
  },
  refuse: {
    keywords: phrases(
      '不需要|不用了|不感兴趣|没兴趣|没有兴趣|不考虑|不想办|不想要|不办|不想了解|算了吧|不参加|不去了|没这个打算',
      '没打算|不打算|用不着|用不上|没需要|没有需要|没这个需要|不想弄|不做|不必了|不想听|免了吧|没必要',
      "not interested|no interest|no thanks|no thank you|don't need",
      "do not need|don't want|do not want",
    ),
    exact: phrases('不用|不要|算了|不想|不了|免了|不必'),
    pinyin: phrases('我不需要|不感兴趣|没有兴趣|暂时不考虑'),
    not: phrases('是不是不用|是不是不需要|要不要'),
  },
  voicemail: {
    keywords: phrases(
      '嘀声后留言|滴声后留言|提示音后留言|语音信箱|请留言|语音留言|暂时无法接听|来电提醒|leave a message',
      'after the tone|after the beep|voicemail|voice mail',
      'not available right now',
    ),
  },
  'call-assistant': {
    keywords: phrases(
      '来电助理|来电助手|电话助理|电话助手|智能助理|我是机主的|机主的助理|机主正忙|帮他转达|我会转告|电话秘书|小秘书',
      '为您转达|代接|call assistant|screening service|record your name',
    ),
  },
};

/** The fixed meanings of a branch. Denied phrases do not count, so `不可以` is never `可以`. */
export const BUILT_IN_MEANINGS: Readonly<Record<'positive' | 'negative' | 'neutral', Match>> = {
  negative: {
    keywords: phrases(
      '不是|不行|不可以|不对|没有|不能|不好|不要|不想|不愿意|不会|不同意|不认识|不知道|不清楚|不太想|不太好|还没',
      '没空|不合适|不了|没法|办不到|不方便|不需要|not really|no way|cannot|wrong',
      "do not|don't|can't|won't|nope",
    ),
    exact: phrases('不|否|没|没呢|不啊|no|nah|never'),
    not: phrases('没有问题|有没有|是不是|能不能|可不可以|好不好|行不行|没有别的|没有了|不错|不要紧|不好意思'),
  },
  positive: {
    keywords: phrases(
      '可以|没问题|没有问题|好的|好啊|好吧|好呀|行吧|行啊|行的|是的|是我|对的|对啊|愿意|同意|方便|需要|想了解',
      '了解一下|感兴趣|有兴趣|不错|挺好|就这样|就这么|说吧|你说|您说|请讲|讲吧|有时间|有空|能行|一定|肯定|没错',
      '要的|想要|我就是|本人|知道了|明白|清楚了|收到|安排吧|帮我|嗯好|那好|yes|yeah|yep|sure',
      'okay|ok|of course|speaking|go ahead|fine|absolutely|correct',
      'sounds good|right|definitely|please do|alright',
    ),
    exact: phrases(
      '是|对|好|行|嗯|嗯嗯|能|要|有|成|中|得|想|在|在的|好好|对对|对对对|是是|我是|我是的|是我啊|是我呀',
      '我就是|对我是|对是我|我啊',
    ),
    not: phrases('可不可以|方不方便|好不好|行不行|是不是|需不需要|要不要'),
  },
  neutral: {
    exact: phrases('哦|啊|喂|喂你好|你好|您好|喂您好|再说吧|看看吧|看情况|随便|都行|考虑一下|这样啊|哦这样'),
    keywords: phrases('再说吧|考虑考虑|考虑一下|看情况|再看看|想一想|不一定|说不准|不好说|maybe|not sure|depends'),
    not: phrases('不考虑'),
  },
};
