/*
 * Sessions in a directory, one JSON file each. Read the files of this folder in this order:
 *
 *   file-store         the options
 *   file-backend       the operations that the kit (src/store) calls
 *
 *   One session
 *   session-files      its record and its entry in the index of owners
 *   text-cache         texts that were read lately, so that an unchanged file is not read again
 *   file-times         the state of a record, encoded in the times of its file
 *   compare-and-swap   the interface: change a record's file only if it holds a known state
 *   claims             compare-and-swap with hard links: the protocol and its proof
 *   lock-files         compare-and-swap without hard links
 *   links-or-locks     chooses between the two
 *   owner-index        the sessions of an owner
 *
 *   The directory
 *   directory          its permissions, and listings of its files
 *   sweep              removes records that are gone, and what dead processes left
 *   eviction, nearest  remove records when there are too many
 *   schedule           decides when to sweep and to evict
 *
 *   file-names, fs-calls, read-file   paths, and calls of the file system
 *
 *   inspect            looks at every file, for the command `check`
 */
export { fileStore } from './file-store.js'
export { inspectDirectory } from './inspect.js'
export type { Problem } from './inspect.js'
export type { FileStoreOptions } from './file-store.js'
