import { randomBytes } from 'node:crypto'
import { checkDatabase } from './check-database.js'
import { checkListing } from './check-listing.js'
import { checkDirectory } from './check-directory.js'
import { Report } from './check-report.js'
import type { Io } from './io.js'
import type { Opened } from './open-store.js'

/** `check`: looks for what should not be there. It changes nothing. The status is 1 when there is a problem. */
export async function check(opened: Opened, io: Io): Promise<number> {
  const report = new Report(io)
  if (opened.dir !== undefined) await checkDirectory(opened.dir, opened.prefix, report)
  else if (opened.store.records) {
    await checkDatabase(opened.database, report)
    await checkListing(opened, report)
  } else {
    await opened.store.read(randomBytes(32).toString('hex'))
    report.note('the server answers; it keeps no list of its sessions, so the command cannot look at them')
  }
  return report.end(opened.name)
}
