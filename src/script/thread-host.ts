// Runs in a worker thread: performs one script after the other.
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { Codes } from './codes.ts'
import { Interpreter } from './interpreter.ts'
import { Watch } from './watch.ts'
import type { Answer, OrderMessage, ThreadData } from './wire.ts'

const port = parentPort as MessagePort
const { shared } = workerData as ThreadData
const codes = new Codes()
let interpreter = Interpreter.load()

async function take(order: OrderMessage): Promise<void> {
  const { id, script } = order
  const quick = await interpreter
  const code = codes.of(script)
  if ('fault' in code)
    return answer({ id, ending: { type: 'invalid', fault: code.fault }, lines: [], isSpent: code.isBroken })
  answer({ id, ...quick.perform({ order, code: code.text, watch: new Watch(order, shared) }), isSpent: false })
  if (quick.isSpent) interpreter = Interpreter.load()
  else quick.next()
}

function answer(given: Answer): void {
  port.postMessage(given)
}

// Whatever goes wrong here ends the thread, which is told outside.
port.on('message', (order: OrderMessage) => void take(order))
