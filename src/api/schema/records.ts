import { Type } from 'typebox';
import { language, limit, number, oneOf, orNull, recordOf, role, text, textByKey, time, uuid } from './basic.ts';

/** NIST SP 800-63B asks for 8 at least; ours guard phone numbers of others. */
const MIN_PASSWORD_CHARS = 10;

const password = Type.String({ minLength: MIN_PASSWORD_CHARS, maxLength: 256 });
const userName = Type.String({ minLength: 1, maxLength: 64 });
const user = { id: uuid, name: text, role, language };

export const credentials = Type.Object(
  { name: userName, password: Type.String({ minLength: 1, maxLength: 256 }) },
  { additionalProperties: false },
);
export const languageChoice = Type.Object({ language }, { additionalProperties: false });
export const passwordChange = Type.Object(
  { current: Type.String({ minLength: 1, maxLength: 256 }), next: password },
  { additionalProperties: false },
);
export const sessionView = Type.Object({ user: Type.Object(user), expiresAt: time });

export const userView = Type.Object({ ...user, createdAt: time });
export const newUser = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 64, pattern: '^\\S(.*\\S)?$' }), password, role, language },
  { additionalProperties: false },
);

const encoding = oneOf(['utf-8', 'gb18030', 'utf-16le']);

export const columnMapping = Type.Object({
  phone: orNull(Type.String()),
  name: orNull(Type.String()),
  ignore: Type.Array(Type.String()),
  rename: recordOf(Type.String({ minLength: 1, maxLength: 64 })),
});
const guess = Type.Object({ phone: orNull(text), name: orNull(text), ignore: Type.Array(text), rename: textByKey });
export const importPreview = Type.Object({
  encoding,
  columns: Type.Array(text),
  rows: Type.Array(Type.Array(text)),
  guess,
});
export const importView = Type.Object({
  id: uuid,
  fileName: text,
  rows: number,
  imported: number,
  merged: number,
  rejected: number,
  encoding,
  durationMs: number,
  rejectedUrl: orNull(text),
});
export const importQuery = Type.Object({ cursor: Type.Optional(uuid) });

export const suppressionView = Type.Object({
  id: uuid,
  phone: text,
  source: oneOf(['call', 'manual', 'import']),
  note: text,
  callId: orNull(uuid),
  createdAt: time,
});
export const newSuppression = Type.Object(
  { phone: Type.String({ minLength: 1, maxLength: 40 }), note: Type.Optional(Type.String({ maxLength: 500 })) },
  { additionalProperties: false },
);
export const suppressionQuery = Type.Object({
  phone: Type.Optional(Type.String({ maxLength: 40 })),
  cursor: Type.Optional(uuid),
  limit: Type.Optional(limit),
});
export const suppressionAdded = Type.Object({ added: number });

/** All but the first field is for users. */
export const health = Type.Object({
  status: oneOf(['ok', 'busy', 'draining']),
  refuses: Type.Optional(orNull(text)),
  calls: Type.Optional(number),
  frameLatenessMs: Type.Optional(number),
  loopDelayMs: Type.Optional(number),
});
