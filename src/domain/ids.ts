declare const brand: unique symbol;

/** A UUIDv7 in lower-case text form; the brand keeps ids of different records apart. */
export type Id<Kind extends string> = string & { readonly [brand]: Kind };

export type ContactId = Id<'contact'>;
export type LeadId = Id<'lead'>;
export type CampaignId = Id<'campaign'>;
export type ImportId = Id<'import'>;
export type ScriptId = Id<'script'>;
export type UserId = Id<'user'>;
export type SuppressionId = Id<'suppression'>;

/** One dial. The same id names the attempt row, the call row, the SIP Call-ID and the recording. */
export type AttemptId = Id<'attempt'>;
