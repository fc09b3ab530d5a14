// A network of its own for a process: a namespace with one way out, on which packets can get lost without a word, each way by itself.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Silence } from '../../store/proxy.ts'
import type { Silenced } from './faults.ts'

/** Packets to this address reach nobody. */
const nobody = '02:00:00:00:00:fe'
const macs = { host: '02:00:00:00:00:01', inside: '02:00:00:00:00:02' }
const inside = 'inside'

export class Network implements Silenced {
  readonly #name: string
  readonly #addresses: { readonly host: string; readonly inside: string }

  /** Throws where the system allows none. */
  constructor() {
    // Others may have theirs on this machine, which must be another one.
    const [first = 0, second = 0] = randomBytes(2)
    this.#name = `troupe${first}x${second}`
    const net = `10.${128 + (first >> 1)}.${second}`
    this.#addresses = { host: `${net}.1`, inside: `${net}.2` }
    const { host, inside: other } = this.#addresses
    ip('netns', 'add', this.#name)
    try {
      const ends = ['address', macs.host, 'type', 'veth', 'peer', 'name', inside, 'address', macs.inside]
      ip('link', 'add', this.#name, ...ends, 'netns', this.#name)
      ip('address', 'add', `${host}/30`, 'dev', this.#name)
      ip('link', 'set', this.#name, 'up')
      ip('-n', this.#name, 'address', 'add', `${other}/30`, 'dev', inside)
      ip('-n', this.#name, 'link', 'set', inside, 'up')
      ip('-n', this.#name, 'link', 'set', 'lo', 'up')
      this.speak()
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Where the machine is, seen from inside. */
  get host(): string {
    return this.#addresses.host
  }

  /** Starts a command inside. */
  get within(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name]
  }

  silence(way: Silence): void {
    if (way !== 'down') this.#sendUpTo(nobody)
    if (way !== 'up') this.#sendDownTo(nobody)
  }

  speak(): void {
    this.#sendUpTo(macs.host)
    this.#sendDownTo(macs.inside)
  }

  /** Ends with what runs inside. */
  close(): void {
    ip('netns', 'delete', this.#name)
  }

  #sendUpTo(mac: string): void {
    ip('-n', this.#name, 'neighbour', 'replace', this.#addresses.host, 'lladdr', mac, 'dev', inside, 'nud', 'permanent')
  }

  #sendDownTo(mac: string): void {
    ip('neighbour', 'replace', this.#addresses.inside, 'lladdr', mac, 'dev', this.#name, 'nud', 'permanent')
  }
}

/** Undefined when this process may have networks of its own, or why not. */
export function whyNoNetworks(): string | undefined {
  try {
    new Network().close()
    return undefined
  } catch (error) {
    return `no network namespaces here: ${String((error as { stderr?: Buffer }).stderr ?? error).trim()}`
  }
}

function ip(...words: readonly string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] })
}
