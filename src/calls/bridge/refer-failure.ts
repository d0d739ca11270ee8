import type { TransferFailure } from '#domain/transfer.ts';
import type { TransferResult } from '#telephony/sip/user-agent.ts';

/** A REFER that is refused outright says that the line cannot be transferred; later reports say what the target did. */
export function referFailureOf({ status }: TransferResult): TransferFailure {
  switch (status) {
    case 486:
    case 600:
      return 'busy';
    case 408:
    case 480:
    case 487:
      return 'no-answer';
    case 404:
    case 410:
    case 484:
    case 604:
      return 'invalid-number';
    case 503:
    case 500:
    case 502:
    case 504:
      return 'unreachable';
    default:
      return 'refused';
  }
}
