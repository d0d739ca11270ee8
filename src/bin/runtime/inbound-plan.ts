import type { ScriptId } from '#domain/ids.ts';
import type { PhoneNumber } from '#domain/phone.ts';
import type { Script } from '#domain/script.ts';
import type { Language } from '#domain/text.ts';
import type { Config } from '#platform/config/config.ts';
import type { Db } from '#platform/db/database.ts';
import type { Log } from '#platform/log.ts';
import { routesFor } from '#calls/own-numbers.ts';
import type { InboundRoute } from '#calls/own-numbers.ts';
import { findCaller } from '#dialer/inbound-attempt.ts';
import type { KnownCaller } from '#dialer/inbound-attempt.ts';
import { scriptVariables } from '#dialer/variables.ts';
import { announcementScript, CALL_BACK_ANNOUNCEMENT } from '#dialog/announcement.ts';
import { findByKey, load } from '#dialog/store.ts';

/** What answers a call, with what it knows about the caller. */
export interface InboundPlan {
  readonly script: Script;
  readonly variables: Readonly<Record<string, string>>;
  readonly caller: KnownCaller | undefined;
  /** The script is that of the campaign that dialled the caller, so that talking with it counts for the lead. */
  readonly settlesLead: boolean;
}

export interface InboundPlanOptions {
  readonly db: Db;
  readonly log: Log;
  readonly settings: Config['inbound'];
  readonly language: Language;
  readonly voice: string;
}

/**
 * Chooses the script of a call: the first route whose script exists and has all its variables from the caller's
 * contact, else the announcement. `phone` undefined: nothing is looked up about the caller.
 */
export async function planInbound(
  o: InboundPlanOptions,
  call: { readonly phone: PhoneNumber | undefined; readonly called: string; readonly trunk: string },
): Promise<InboundPlan> {
  const caller = call.phone === undefined ? undefined : await findCaller(o.db, call.phone);
  for (const route of routesFor(o.settings.routes, call)) {
    const found = await scriptOf(o, route, caller);
    if (found === undefined) continue;
    const { values, missing } = scriptVariables(found.script, caller ?? { name: '', attributes: {} });
    if (missing.length === 0)
      return {
        script: found.script,
        variables: values,
        caller,
        settlesLead: found.id === caller?.campaign?.scriptId,
      };
    o.log.info({ script: found.script.id, missing }, 'an inbound route lacks variables of its caller');
  }
  const text = o.settings.announcement ?? CALL_BACK_ANNOUNCEMENT[o.language];
  const script = announcementScript({ text, language: o.language, voice: o.voice });
  return { script, variables: {}, caller, settlesLead: false };
}

async function scriptOf(
  o: InboundPlanOptions,
  route: InboundRoute,
  caller: KnownCaller | undefined,
): Promise<{ readonly id: ScriptId; readonly script: Script } | undefined> {
  if (route.script === undefined) {
    const campaign = caller?.campaign;
    if (campaign === undefined) return undefined;
    return { id: campaign.scriptId, script: await load(o.db, campaign.scriptId, campaign.scriptVersion) };
  }
  const known = await findByKey(o.db, route.script);
  if (known === undefined || known.publishedVersion === null) {
    o.log.warn({ script: route.script }, 'an inbound route names a script that is not there or not published');
    return undefined;
  }
  return { id: known.id, script: await load(o.db, known.id, known.publishedVersion) };
}
