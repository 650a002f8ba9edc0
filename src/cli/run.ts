import { Command, CommanderError } from 'commander'
import { reasonOf } from '../errors.js'
import { check } from './check.js'
import { copy, type CopyOptions } from './copy.js'
import { end, type EndOptions } from './end.js'
import { print, type Io } from './io.js'
import { list, type ListOptions } from './list.js'
import { openStore, openUrl, type Opened, type StoreOptions } from './open-store.js'
import { prune } from './prune.js'
import { show } from './show.js'
import { withoutSids } from './text.js'

const about = `Looks into the sessions of koa-keepsake, ends them, and copies them between stores.

Without --store, the SESSION_* of the environment name the store, as in session(settings(process.env)).`

const urls = `
A store is named by its URL, as in storeFromUrl():
  file:var/sessions   redis://localhost   mongodb://localhost/app
  postgres://localhost/app   mysql://localhost/app   sqlite:var/sessions.db
`

const examples = `
To move to another store without logging anybody out:
  1. copy, while the application runs
  2. stop the application
  3. copy --delete, which takes only what has changed since
  4. start the application with the new store
`

/** Runs the command and returns its exit status. @param argv the arguments after the name of the command. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let status = 0
  const program = commandOf(io, (result) => void (status = result))
  try {
    await program.parseAsync(argv, { from: 'user' })
    return status
  } catch (error) {
    // Commander has printed its own message.
    if (error instanceof CommanderError) return error.exitCode
    await print(io.stderr, `koa-keepsake: ${withoutSids(reasonOf(error))}`)
    return 1
  }
}

function commandOf(io: Io, setStatus: (status: number) => void): Command {
  const program = new Command('koa-keepsake')
  program
    .description(about)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(withoutSids(text)),
      getOutHelpWidth: () => io.stdout.columns ?? 80,
      getErrHelpWidth: () => io.stderr.columns ?? 80
    })
    .addHelpText('after', urls)

  /** The action of a subcommand: opens the store, works with it and closes it. */
  const withStore = async (options: StoreOptions, work: (opened: Opened) => Promise<number>): Promise<void> => {
    setStatus(await thenClose([openStore(options, io)], ([opened]) => work(opened!)))
  }

  onStore(program.command('list').description('list the live sessions, the most recently used first'))
    .option('--owner <id>', 'only those of a user')
    .option('--json', 'one JSON object a line')
    .action((options: StoreOptions & ListOptions) => withStore(options, (opened) => list(opened, options, io)))

  onStore(program.command('show').argument('<id>', 'as list shows it').description('show a session and its data'))
    .option('--json', 'the record as it is stored')
    .action((id: string, options: StoreOptions & { json?: boolean }) => withStore(options, (opened) => show(opened, id, options, io)))

  onStore(program.command('end').argument('[ids...]', 'as list shows them').description('end sessions: their users are logged out'))
    .option('--owner <id>', 'all sessions of a user')
    .option('--yes', 'do not ask')
    .action((ids: string[], options: StoreOptions & EndOptions) => withStore(options, (opened) => end(opened, ids, options, io)))

  onStore(program.command('prune').description('remove the records of expired sessions'))
    .option('--yes', 'do not ask')
    .action((options: StoreOptions & { yes?: boolean }) => withStore(options, (opened) => prune(opened, options, io)))

  program.command('copy').argument('<from>', 'URL of the store to read').argument('<to>', 'URL of the store to write').description('copy sessions to another store, with the same ids')
    .option('--prefix <prefix>', "the application's option prefix (default: session:)")
    .option('--delete', 'also remove earlier copies whose sessions have ended in the source')
    .option('--restore', 'also copy sessions again that an earlier copy brought and that have ended in the target')
    .option('--dry-run', 'write nothing, and count what would be done')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples)
    .action(async (from: string, to: string, options: StoreOptions & CopyOptions) => {
      const opened = [openUrl(from, options, io)]
      setStatus(await thenClose(opened, async ([source]) => {
        opened.push(openUrl(to, options, io, true))
        return copy(source!, opened[1]!, options, io)
      }))
    })

  onStore(program.command('check').description('look for foreign files, corrupt records, leftovers and wrong rights; changes nothing'))
    .action((options: StoreOptions) => withStore(options, (opened) => check(opened, io)))

  return program
}

/** Adds the options that name the store. */
function onStore(command: Command): Command {
  return command.option('--store <url>', 'the store (default: the SESSION_* of the environment)').option('--prefix <prefix>', "the application's option prefix (default: session:)")
}

async function thenClose(opened: readonly Opened[], work: (opened: readonly Opened[]) => Promise<number>): Promise<number> {
  try {
    return await work(opened)
  } finally {
    for (const { store } of opened) await store.close?.()
  }
}
