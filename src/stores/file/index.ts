/*
 * Sessions in a directory, one JSON file each. Read the files of this folder in this order:
 *
 *   file-store         the options
 *   file-backend       what the kit (src/store) calls
 *
 *   One session
 *   session-files      its record and its entry in the index of owners
 *   text-cache         texts that need not be read again
 *   file-times         which state of a record a file holds, in its times
 *   compare-and-swap   changing a record's file on condition of its state
 *   claims             with hard links: the protocol and its proof
 *   lock-files         without them
 *   links-or-locks     which of the two
 *   owner-index        the sessions of an owner
 *
 *   The directory
 *   directory          its permissions, and what is in it
 *   sweep              removes records that are gone, and what dead processes left
 *   eviction, nearest  remove records when there are too many
 *   schedule           when to sweep and to evict
 *
 *   file-names, fs-calls, read-file   paths, and calls of the file system
 */
export { fileStore } from './file-store.js'
export type { FileStoreOptions } from './file-store.js'
