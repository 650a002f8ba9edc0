/** A value that JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** The data of a record, in the form that `encode` makes. */
export type Data = { readonly [key: string]: Json }

/** How many levels deep a value of a session may be nested: enough for any document, and far below what exhausts the stack. */
export const maxDepth = 500

/** How many levels deep the JSON of such a value may be nested: one level of a `Map` takes three levels of JSON. */
export const maxJsonDepth = 3 * maxDepth + 3
