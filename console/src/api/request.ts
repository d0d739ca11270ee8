import type { ApiError } from '#domain/api.ts';
import type { LocalText } from '#domain/text.ts';

/** A problem of one field, as the API reports it. */
export type FieldProblem = ApiError['error']['problems'][number];

/** A request that did not succeed. `status` 0 means that no answer came. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;
  readonly text: LocalText;
  readonly problems: readonly FieldProblem[];

  constructor(status: number, body: ApiError['error']) {
    super(body.text.en);
    this.name = 'ApiFailure';
    this.status = status;
    this.code = body.code;
    this.text = body.text;
    this.problems = body.problems;
  }
}

const UNREACHABLE: LocalText = {
  zh: '连不上服务器。请检查网络，或确认服务正在运行，然后重试。',
  en: 'The server cannot be reached. Check the network and that the service runs, then try again.',
};
const UNREADABLE: LocalText = {
  zh: '服务器的回答无法读取，请稍后重试。',
  en: 'The answer of the server could not be read; try again later.',
};

/** Calls the API and reads its JSON; throws `ApiFailure`. */
export async function request<Reply>(
  path: string,
  init: {
    readonly method?: string;
    readonly body?: unknown;
    readonly form?: FormData;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Reply> {
  const response = await send(path, init);
  return (await bodyOf(response)) as Reply;
}

/** As `request`, with the status for routes that answer in more than one way. */
export async function requestWithStatus(
  path: string,
  init: { readonly signal?: AbortSignal } = {},
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await send(path, init);
  return { status: response.status, body: await bodyOf(response) };
}

/** Fetches a binary file; throws `ApiFailure`. */
export async function requestBytes(path: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const response = await send(path, { signal });
  return response.arrayBuffer();
}

/** The failure that a response's body tells of, whatever it holds. */
export function failureOf(status: number, text: string): ApiFailure {
  try {
    const { error } = JSON.parse(text) as ApiError;
    if (typeof error.text.zh === 'string') return new ApiFailure(status, error);
  } catch {
    // A proxy or a crash answers without our body.
  }
  const unreachable = status === 0 || status === 502 || status === 503 || status === 504;
  return new ApiFailure(status, {
    code: unreachable ? 'unavailable' : 'internal',
    text: unreachable ? UNREACHABLE : UNREADABLE,
    problems: [],
  });
}

async function send(
  path: string,
  init: { readonly method?: string; readonly body?: unknown; readonly form?: FormData; readonly signal?: AbortSignal },
): Promise<Response> {
  const { method = 'GET', body, form, signal } = init;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      ...(signal === undefined ? {} : { signal }),
      ...(form === undefined ? {} : { body: form }),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw failureOf(0, '');
  }
  if (!response.ok) throw failureOf(response.status, await response.text());
  return response;
}

async function bodyOf(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  try {
    return await response.json();
  } catch {
    throw failureOf(response.status === 200 ? 500 : response.status, '');
  }
}
