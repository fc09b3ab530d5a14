// Restate: its server is a process of its own, which calls this process as its service.
import { once } from 'node:events'
import {
  connect,
  createServer,
  type ClientHttp2Session,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { connect as connectSocket, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { endingWith } from '../ending.ts'
import { loadPeer, needsNode, peerFile } from '../installed-peers.ts'
import { check, withFolder } from '../measure.ts'
import { withServer } from '../server.ts'
import type { WorkflowPeer } from './peers.ts'
import { measure, type Figures } from './three-steps.ts'

interface RestateModule {
  service(spec: { name: string; handlers: object }): object
  createEndpointHandler(options: { services: readonly object[]; logger: () => void }): Handler
}

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void

interface Context {
  run<T>(name: string, perform: () => Promise<T>): Promise<T>
}

// Its workflows take twenty times as long: fewer tell as much.
const part = 0.05

/** Throws where it cannot be had. */
export async function restatePeer(): Promise<WorkflowPeer> {
  needsNode(22, 'its SDK')
  const command = peerFile(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`)
  const restate = await loadPeer<RestateModule>('@restatedev/restate-sdk')
  return {
    who: 'restate',
    measure: () => withFolder((folder) => measureIn(folder, restate, command)),
    note: 'restate: its server is a process of its own, which syncs what it writes and calls each workflow here over HTTP/2; its end is taken when its result is there, which is pushed; at its start the server asks for its newest release on the Internet, which it cannot be told not to do',
  }
}

function measureIn(folder: string, restate: RestateModule, command: string): Promise<Figures> {
  // No ports: what it listens on is in the folder.
  const args = ['--no-logo', '--listen-mode', 'unix', '--node-name', 'bench', '--base-dir', folder]
  const env = { RESTATE_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true', RESTATE_LOG_FILTER: 'error' }
  const [admin, ingress] = ['admin', 'ingress'].map((name) => join(folder, 'bench', `${name}.sock`)) as [string, string]
  const answers = async (): Promise<boolean> => {
    await withSession(admin, (session) => request(session, { path: '/health' }))
    await withSession(ingress, (session) => request(session, { path: '/restate/health' }))
    return true
  }
  return withServer({ command, args, env, folder, answers }, () =>
    withService(restate, async (uri) => {
      await withSession(admin, (session) => request(session, { path: '/deployments', body: { uri } }))
      return withSession(ingress, (session) =>
        measure(async (i) => {
          const { i: result } = (await request(session, { path: '/ThreeSteps/run', body: i })) as { i: number }
          check('a result', result, i + 2)
        }, part),
      )
    }),
  )
}

/** Serves the workflow; `use` is given its address. */
async function withService<T>(restate: RestateModule, use: (uri: string) => Promise<T>): Promise<T> {
  const run = async (ctx: Context, i: number): Promise<unknown> => {
    const a = await ctx.run('a', async () => ({ ok: true, i }))
    const b = await ctx.run('b', async () => ({ ok: true, i: a.i + 1 }))
    return ctx.run('c', async () => ({ ok: true, i: b.i + 1 }))
  }
  const services = [restate.service({ name: 'ThreeSteps', handlers: { run } })]
  const server = createServer(restate.createEndpointHandler({ services, logger: () => {} })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return endingWith(
    () => server.close(),
    () => use(`http://127.0.0.1:${port}`),
  )
}

async function withSession<T>(path: string, use: (session: ClientHttp2Session) => Promise<T>): Promise<T> {
  const session = connect('http://localhost', { createConnection: () => connectSocket(path) })
  // What fails is told to those who ask.
  session.on('error', () => {})
  try {
    return await use(session)
  } finally {
    session.destroy()
  }
}

interface Asked {
  readonly path: string
  /** What is posted. */
  readonly body?: unknown
}

async function request(session: ClientHttp2Session, { path, body }: Asked): Promise<unknown> {
  const method = body === undefined ? 'GET' : 'POST'
  const stream = session.request({ ':path': path, ':method': method, 'content-type': 'application/json' })
  stream.setEncoding('utf8').end(body === undefined ? undefined : JSON.stringify(body))
  const [headers] = (await once(stream, 'response')) as [{ ':status'?: number }]
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  if ((headers[':status'] ?? 0) >= 300) throw new Error(`${path} answers ${headers[':status']}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}
