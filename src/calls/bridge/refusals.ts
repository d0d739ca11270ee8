import { AppError } from '#platform/error.ts';

/** The callee is gone. */
export function callOver(): AppError {
  return new AppError('conflict', { zh: '这通电话已经结束。', en: 'The call is over.' });
}

/** One transfer at a time. */
export function alreadyTransferring(): AppError {
  return new AppError('conflict', {
    zh: '这通电话正在转接，请先结束当前的转接。',
    en: 'The call is being transferred already; end that transfer first.',
  });
}

/** There is none to end. */
export function notTransferring(): AppError {
  return new AppError('conflict', { zh: '这通电话没有在转接。', en: 'The call is not being transferred.' });
}

/** The callee’s line has it. */
export function cannotTakeBack(): AppError {
  return new AppError('conflict', {
    zh: '盲转已经交给对方线路，无法收回。',
    en: 'A blind transfer is in the hands of the callee’s line and cannot be taken back.',
  });
}

/** `most` listen in already. */
export function tooManyListeners(most: number): AppError {
  return new AppError('conflict', {
    zh: `这通电话已有 ${most} 人在监听，请先结束一个。`,
    en: `${most} people listen in on this call already; end one of them first.`,
  });
}
