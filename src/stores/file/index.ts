/*
 * Sessions in a directory, one JSON file each. Read the files in this order:
 *
 *   file-store         the options
 *   file-backend       the operations that the kit (src/store) calls
 *   file-names         the names in the directory
 *   file-times         the state of a record, encoded in the times of its file
 *   directory          its creation and permissions, and listings of its files
 *   fs-calls           the calls of the file system for one file
 *
 * session/ is about one session:
 *
 *   session-files      its record and its entry in the index of owners, with a cache of texts that were read lately
 *   compare-and-swap   the interface: change a record's file only if it holds a known state. What a file holds, and which of
 *                      the two implementations is used
 *   claims             compare-and-swap with hard links: the protocol and its proof
 *   lock-files         compare-and-swap without hard links
 *   owner-index        the sessions of an owner
 *
 * cleanup/ is about all files of the directory:
 *
 *   schedule           decides when to sweep and to evict
 *   sweep              removes records that are gone, and what dead processes left
 *   eviction, lowest-ranks  remove records when there are too many
 *   inspect            looks at every file, for the command `check`
 */
export { fileStore } from './file-store.js'
export { inspectDirectory } from './cleanup/inspect.js'
export type { Problem } from './cleanup/inspect.js'
export type { FileStoreOptions } from './file-store.js'
