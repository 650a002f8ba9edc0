import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { link, mkdir, open, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConfigError } from './config.js'

/**
 * The secret that is kept in a file; made when there is none, so that a restart keeps people logged in.
 *
 * @throws ConfigError when the file cannot be used.
 */
export async function keptSecret(file: string): Promise<string> {
  try {
    return (await readSecret(file)) ?? (await makeSecret(file))
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new ConfigError(`no secret key can be kept in ${file} (${reason}): set SECRET_KEY`)
  }
}

async function readSecret(file: string): Promise<string | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!handle) return undefined
  try {
    const { mode } = await handle.stat()
    if ((mode & 0o077) !== 0) throw new ConfigError(`${file} can be read by others: chmod 600 it, or remove it to have a new one made`)
    const secret = (await handle.readFile('utf8')).trim()
    if (secret.length < 43) throw new ConfigError(`${file} does not hold a secret key: remove it to have a new one made`)
    return secret
  } finally {
    await handle.close()
  }
}

/** Written to a temporary file and then linked: of two servers that start at once, both use the key that came first. */
async function makeSecret(file: string): Promise<string> {
  const secret = randomBytes(32).toString('base64url')
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(temporary, `${secret}\n`, { mode: 0o600, flag: 'wx' })
  try {
    await link(temporary, file)
    return secret
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return (await readSecret(file))!
  } finally {
    await unlink(temporary)
  }
}
