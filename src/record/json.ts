/** A value of JSON text. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** The data of a record, in the form that `values.ts` encodes. */
export type Data = { readonly [key: string]: Json }

/** How deep a value of a session may be nested: enough for any document, and far from where the engine's own recursion ends. */
export const maxDepth = 500

/** How deep its JSON may be nested: a map has three levels of JSON for one of its own. */
export const maxJsonDepth = 3 * maxDepth + 3
