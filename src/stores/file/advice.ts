/** What an operator can do about a failure of the file system. */
export function adviceFor(error: unknown, dir: string): string | undefined {
  switch ((error as NodeJS.ErrnoException | null)?.code) {
    case 'EMFILE':
    case 'ENFILE':
      return 'raise the limit of open files, for example with `ulimit -n`'
    case 'ENOSPC':
    case 'EDQUOT':
      return `free some room on the disk or in the quota that holds ${dir}`
    case 'EACCES':
    case 'EPERM':
      return `let the user that runs this process read and write ${dir}`
    case 'EROFS':
      return `${dir} is on a file system that is mounted read-only, mount it for writing`
    case 'ENOTDIR':
      return `${dir} or something above it is not a directory, choose another \`dir\``
    default:
      return undefined
  }
}
