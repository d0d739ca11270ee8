import type { Static } from 'typebox';
import { expectTypeOf, test } from 'vitest';
import type * as api from '#domain/api.ts';
import type { apiError } from './basic.ts';
import type { callSummary, callView, liveCall } from './call.ts';
import type { campaignAction, campaignDefaults, campaignView, leadView, scriptSummary } from './campaign.ts';
import type * as records from './records.ts';

/** A type as it is after JSON: dates are text, all is readonly, and a field that may be absent is marked as such. */
type Sent<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Sent<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]-?: MayMiss<T, Key> extends true ? Maybe<T[Key]> : Sent<T[Key]> }
      : T;
type MayMiss<T, Key extends keyof T> = undefined extends T[Key] ? true : object extends Pick<T, Key> ? true : false;
type Maybe<T> = readonly ['maybe', Sent<Exclude<T, undefined>>];
/** Both ways assignable; every field of either is in the other. */
type Same<A, B> = [Sent<A>, Sent<B>] extends [Sent<B>, Sent<A>] ? true : false;

test('the schemas are the types that the console shares', () => {
  expectTypeOf<Same<Static<typeof apiError>, api.ApiError>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof callSummary>, api.CallSummary>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof callView>, api.CallView>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof liveCall>, api.LiveCall>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof campaignAction>, api.CampaignAction>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof campaignDefaults>, api.CampaignDefaults>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof campaignView>, api.CampaignView>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof leadView>, api.LeadView>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof scriptSummary>, api.ScriptSummary>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof records.sessionView>, api.SessionView>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof records.passwordChange>, api.PasswordChange>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof records.userView>, api.UserView>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof records.newUser>, api.NewUser>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof records.columnMapping>, api.ColumnMapping>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof records.importPreview>, api.ImportPreview>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof records.importView>, api.ImportView>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof records.suppressionView>, api.SuppressionView>>().toEqualTypeOf<true>();
  expectTypeOf<Same<Static<typeof records.health>, api.Health>>().toEqualTypeOf<true>();
});
