// Proof that another process of this machine is gone; what cannot be seen is no proof (I9).
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isProvedDead, ownIdentity } from '../../src/engine/membership/host.ts'

const own = ownIdentity('own')
const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))
const starving = fileURLToPath(new URL('starving.ts', import.meta.url))

describe.runIf(existsSync('/proc/self/stat'))('death', () => {
  it('is proved of a process that has ended', () => {
    const { pid } = spawnSync(process.execPath, ['--version'])
    expect(isProvedDead({ ...own, pid }, own)).toBe(true)
  })

  it('is proved of a process whose number another one has now', () => {
    expect(isProvedDead({ ...own, pidStartedAt: '1' }, own)).toBe(true)
  })

  it('is not proved of a process that lives, or of another boot, machine or container', () => {
    expect(isProvedDead(own, own)).toBe(false)
    for (const elsewhere of [{ bootId: 'other' }, { pidNamespace: 'pid:[1]' }, { bootId: null }]) {
      expect(isProvedDead({ ...own, pidStartedAt: '1', ...elsewhere }, own)).toBe(false)
    }
  })

  it('is not proved of a process that is hidden, and that a signal finds', () => {
    // 0 stands in no folder of /proc, and means every process of our own group to a signal.
    expect(isProvedDead({ ...own, pid: 0 }, own)).toBe(false)
  })

  it('is not proved by a process that can open no file', () => {
    const script = 'ulimit -n 64; exec "$0" "$@"'
    const env = { ...process.env, JITI_FS_CACHE: 'false', NODE_OPTIONS: '' }
    const child = ['-c', script, process.execPath, jiti, starving, JSON.stringify(own)]
    const answer = execFileSync('sh', child, { encoding: 'utf8', env, timeout: 15_000 })
    expect(JSON.parse(answer)).toEqual({ isDead: false, held: true })
  })
})
