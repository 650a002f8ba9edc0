import type { Call } from './file-system.js'

const changes = (name: string): boolean => /^(write|fsync|sync|rename|unlink|link|rmdir|mkdir|fchmod|chmod|futimes|utimes)$/.test(name)
const creates = ({ name, args }: Call): boolean => name === 'open' && (args[1] === 'wx' || args[1] === 'w')

/** The calls that fail with a code on some system. */
export const failing: { readonly [code: string]: (call: Call) => boolean } = {
  EIO: () => true,
  EACCES: ({ path: named }) => named !== undefined,
  ENOSPC: (call) => creates(call) || /^(write|fsync|sync|mkdir)$/.test(call.name),
  EROFS: (call) => creates(call) || changes(call.name),
  EMFILE: ({ name }) => /^(open|opendir)$/.test(name),
  EINTR: ({ name }) => /^(open|read|write|close|fsync|sync)$/.test(name),
  EEXIST: (call) => creates(call) || /^(link|mkdir)$/.test(call.name),
  // As Windows answers for a file that another process has open.
  EBUSY: (call) => creates(call) || /^(rename|unlink|rmdir|link|open)$/.test(call.name),
  EPERM: (call) => creates(call) || /^(rename|unlink|rmdir|open)$/.test(call.name)
}
