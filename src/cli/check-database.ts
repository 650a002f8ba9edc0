import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Report } from './check-report.js'

/** The endings of the files beside an SQLite database. */
const endings = ['', '-wal', '-shm']

/** Checks who may read and write the files of an SQLite database. */
export async function checkDatabase(file: string | undefined, report: Report): Promise<void> {
  if (file === undefined || process.platform === 'win32') return
  for (const ending of endings) {
    const stats = await stat(file + ending).catch(() => undefined)
    if (!stats || (stats.mode & 0o026) === 0) continue
    const mode = (stats.mode & 0o777).toString(8)
    await report.problem('rights', basename(file + ending), `other users may read or write it (mode ${mode}): chmod 600, unless its group needs it`)
  }
}
