import { inspectDirectory } from '../stores/file/index.js'
import type { Report } from './check-report.js'
import { sessions } from './text.js'

/** Looks at every file of a file store. */
export async function checkDirectory(dir: string, prefix: string, report: Report): Promise<void> {
  let live = 0
  let owned = 0
  let expired = 0
  let others = 0
  for await (const finding of inspectDirectory(dir, prefix)) {
    if ('problem' in finding) await report.problem(finding.kind, finding.name, finding.problem)
    else if (finding.kind === 'expired') expired++
    else if (finding.kind === 'other prefix') others++
    else {
      live++
      if (finding.record.owner !== undefined) owned++
    }
  }
  report.note(`${sessions(live)}, ${owned} of them of users who are logged in`)
  if (expired > 0) report.note(`${expired} expired, which the application removes in time, and prune at once`)
  if (others > 0) report.note(`${others} files of other prefixes, which were not checked`)
}
