import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestFn } from 'ava'
import { needs } from './needs.js'

export interface Certificate {
  readonly key: Buffer
  readonly cert: Buffer
}

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

/** AVA's `test`, if openssl can make a certificate. */
export const tlsTest: TestFn = needs(test, hasOpenssl, 'TLS', 'TLS tests need openssl: apt-get install openssl')

/** Makes a key and a certificate that it signed itself. */
export function createCertificate(): Certificate {
  const dir = mkdtempSync(join(tmpdir(), 'keepsake-tls-'))
  try {
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
    const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost']
    const { status, stderr } = spawnSync('openssl', [...options, '-keyout', key, '-out', cert], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`openssl made no certificate: ${stderr}`)
    return { key: readFileSync(key), cert: readFileSync(cert) }
  } finally {
    rmSync(dir, { recursive: true })
  }
}
