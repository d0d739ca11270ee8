import { AppError } from '#platform/error.ts';

/** Nothing can be done to a call that is over. */
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

/** There is nothing to take back. */
export function notTransferring(): AppError {
  return new AppError('conflict', { zh: '这通电话没有在转接。', en: 'The call is not being transferred.' });
}

/** A REFER is out of our hands. */
export function cannotTakeBack(): AppError {
  return new AppError('conflict', {
    zh: '盲转已经交给对方线路，无法收回。',
    en: 'A blind transfer is in the hands of the callee’s line and cannot be taken back.',
  });
}

/** Refuses one listener more than `max`. */
export function tooManyListeners(max: number): AppError {
  return new AppError('conflict', {
    zh: `这通电话已有 ${max} 人在监听，请先结束一个。`,
    en: `${max} people listen in on this call already; end one of them first.`,
  });
}
