import { AppError } from './error.ts';
import type { BusEvents, BusRequests } from './bus-events.ts';
import type { Log } from './log.ts';

/** Messages between roles. A subscriber's fault is logged and never reaches the publisher or another subscriber. */
export interface Bus {
  publish<Topic extends keyof BusEvents>(topic: Topic, event: BusEvents[Topic]): void;
  /** Handlers run in order of subscription, before `publish` returns. Returns the unsubscription. */
  subscribe<Topic extends keyof BusEvents>(
    topic: Topic,
    handler: (event: BusEvents[Topic]) => void | Promise<void>,
  ): () => void;
  /** Asks the one who replies to a topic; throws `unavailable` where there is none, and the replier's own faults. */
  request<Topic extends keyof BusRequests>(
    topic: Topic,
    request: BusRequests[Topic]['request'],
  ): Promise<BusRequests[Topic]['reply']>;
  /** Becomes the one who replies; throws `conflict` where there is one. Returns the withdrawal. */
  reply<Topic extends keyof BusRequests>(
    topic: Topic,
    handler: (
      request: BusRequests[Topic]['request'],
    ) => BusRequests[Topic]['reply'] | Promise<BusRequests[Topic]['reply']>,
  ): () => void;
}

type AnyHandler = (payload: never) => unknown;

/** The bus of one process. */
export function openBus(log: Log): Bus {
  const subscribers = new Map<string, Set<{ readonly handle: AnyHandler }>>();
  const repliers = new Map<string, AnyHandler>();
  const failed = (topic: string) => (error: unknown) => {
    log.error({ err: error, topic }, 'a bus subscriber failed');
  };
  return {
    publish(topic, event) {
      for (const { handle } of subscribers.get(topic) ?? []) {
        try {
          Promise.resolve(handle(event as never)).catch(failed(topic));
        } catch (error) {
          failed(topic)(error);
        }
      }
    },
    subscribe(topic, handler) {
      const entry = { handle: handler as AnyHandler };
      const entries = subscribers.get(topic) ?? new Set();
      subscribers.set(topic, entries.add(entry));
      return () => void entries.delete(entry);
    },
    async request(topic, request) {
      const handle = repliers.get(topic);
      if (handle === undefined)
        throw new AppError(
          'unavailable',
          { zh: '所需的服务没有在运行。', en: 'The service this needs is not running.' },
          { retryable: true },
        );
      return (await handle(request as never)) as BusRequests[typeof topic]['reply'];
    },
    reply(topic, handler) {
      if (repliers.has(topic))
        throw new AppError('conflict', {
          zh: `主题 ${topic} 已有应答者。`,
          en: `Topic ${topic} already has one who replies.`,
        });
      const own = handler as AnyHandler;
      repliers.set(topic, own);
      return () => {
        if (repliers.get(topic) === own) repliers.delete(topic);
      };
    },
  };
}
