import { SessionError } from '../../errors.js'

/** The longest text that fits into one document of MongoDB, in bytes. 8 KiB are for the other fields: a key, an owner's hash, a date. */
const mostBytes = 16 * 1024 * 1024 - 8 * 1024

const mayBeApplied = 'a change that was sent may have been applied all the same'
const unreachable = 'cannot reach a primary of MongoDB: check that it runs, the addresses, replicaSet and tls of the client, and the network'

/** Advice about errors of a server, by their code. */
const byCode = new Map<unknown, string>([
  [13, 'give the user of the client the role readWrite on the database of the sessions'],
  [18, 'check the user, the password and authSource of the client'],
  [301, 'the server has no retryable writes: set retryWrites=false in the client'],
  [8000, 'check the user, the password and the roles in Atlas'],
  [121, 'a validator of the collection refuses sessions: give them a collection of their own'],
  [11000, 'another unique index of the collection refuses sessions: drop it, or give them a collection of their own'],
  [50, `MongoDB gave up after the client's own time limit: ${mayBeApplied}`],
  [64, `too few members of the replica set confirmed the write in time: ${mayBeApplied}; see to the members, or change writeConcern`],
  [79, 'MongoDB does not know this write concern: change writeConcern'],
  [100, `the replica set has too few members for this write concern: ${mayBeApplied}; change writeConcern`],
  [14031, 'free space on the disk of MongoDB']
])

/** Codes with which a server says that it is not the primary, cannot reach it, or is about to end. */
const passing: ReadonlySet<unknown> = new Set([6, 7, 89, 91, 133, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436])

/** Advice about errors of the driver itself, by their name. */
const byName: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/^MongoServerSelectionError$/, unreachable],
  [/WaitQueueTimeout/, 'all connections of the client are in use: raise maxPoolSize, or find what holds them'],
  [/^Mongo(NotConnected|TopologyClosed|ServerClosed|ClientClosed|PoolClosed)Error$/, 'the client was closed: close it after the application has stopped'],
  [/^(MongoNetwork|MongoNetworkTimeout|MongoPoolCleared|PoolClearedOnNetwork|MongoOperationTimeout)Error$/, `the connection to MongoDB was lost or too slow: ${mayBeApplied}`],
  [/^MongoWriteConcernError$/, `MongoDB could not confirm the write: ${mayBeApplied}`]
]

/** Advice for an operator about an error, if there is some. */
export function adviceOn(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const code = codeOf(error)
  if (passing.has(code)) return `there is no primary at the moment: this passes after an election; ${mayBeApplied}`
  return byCode.get(code) ?? byName.find(([pattern]) => pattern.test(error.name))?.[1]
}

/** Reports whether the id of a new document is taken. (Another unique index has the same code, and not every server says which one it was.) */
export function isTaken(error: unknown): boolean {
  return codeOf(error) === 11000
}

/** Reports whether a working server has refused a command, so that trying again would not help. */
export function isRefusal(error: unknown): boolean {
  const code = codeOf(error)
  return typeof code === 'number' && code !== 50 && !passing.has(code)
}

/** @throws SessionError `ERR_SESSION_TOO_LARGE` for a text that no document can hold: the driver's own errors for it differ. */
export function assertSize(text: string): void {
  // A character has at most three bytes.
  if (text.length * 3 <= mostBytes) return
  const bytes = Buffer.byteLength(text)
  if (bytes <= mostBytes) return
  throw new SessionError('ERR_SESSION_TOO_LARGE', `a session of ${bytes} bytes does not fit into a document of MongoDB (16 MiB): keep less in it, or lower maxBytes`)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
