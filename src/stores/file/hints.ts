/** What to do about a failure of the file system, for the log of whoever runs the server. */
export function hintFor(error: NodeJS.ErrnoException, dir: string): string {
  switch (error.code) {
    case 'EMFILE':
    case 'ENFILE':
      return ' (too many open files: raise the limit, for example with `ulimit -n`)'
    case 'ENOSPC':
    case 'EDQUOT':
      return ` (no room: free some on the disk or in the quota that holds ${dir})`
    case 'EACCES':
    case 'EPERM':
      return ` (not allowed: let the user that runs this process read and write ${dir})`
    case 'EROFS':
      return ` (${dir} is on a file system that is mounted read-only)`
    case 'ENOTDIR':
      return ` (${dir} or something above it is not a directory)`
    default:
      return ''
  }
}
