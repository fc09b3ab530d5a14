import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ActorSystem } from 'troupe/actor'
import { expect, it } from 'vitest'
import { printedBy } from '../printed.ts'
import { ProcessTask, Requester, RequestWork, Worker } from './async-worker.ts'

/** Work that ends when the test says so. */
class Gates {
  readonly open: (() => void)[] = []
  readonly running = () => this.open.length - this.ended
  ended = 0
  readonly work = (data: string): Promise<string> =>
    new Promise((resolve, reject) => {
      this.open.push(() => {
        this.ended++
        if (data === 'bad') reject(new Error(`cannot process ${data}`))
        else resolve(`Processed: ${data}`)
      })
    })
}

const ids = [0, 1, 2, 3, 4]
const silent = (): void => undefined
const turn = () => new Promise((resolve) => setImmediate(resolve))

function company(limit: number) {
  const gates = new Gates()
  const system = new ActorSystem()
  const [worker, working] = system.spawn(() => new Worker({ work: gates.work, limit, say: silent }))
  const [requester, requesting] = system.spawn(() => new Requester(worker, silent))
  return { gates, worker, working, requester, requesting }
}

it('has five requests at work at once, counts them truly, and answers each', async () => {
  const { gates, worker, working, requester, requesting } = company(5)
  for (const id of ids) await requester.ask(new RequestWork({ id, data: id === 3 ? 'bad' : `data ${id}` }))
  await turn()
  expect(gates.running()).toBe(5)
  const activeAfter: number[] = []
  for (const open of gates.open.toReversed()) {
    open()
    await turn()
    const replyTo = requester
    activeAfter.push((await worker.ask(new ProcessTask({ id: 9, data: 'probe', replyTo }))) - 1)
    gates.open.at(-1)?.()
    await turn()
  }
  expect(activeAfter).toEqual([4, 3, 2, 1, 0])
  const { actor } = await working.stop()
  expect(actor?.peak).toBe(5)
  const { actor: asked } = await requesting.stop()
  expect(asked?.results.filter((line) => !line.startsWith('9'))).toEqual([
    '4: result Processed: data 4',
    '3: error Error: cannot process bad',
    '2: result Processed: data 2',
    '1: result Processed: data 1',
    '0: result Processed: data 0',
  ])
})

it('runs no more at once than the limit, and loses none of the rest when it stops', async () => {
  const { gates, working, requester, requesting } = company(2)
  for (const id of ids) await requester.ask(new RequestWork({ id, data: `data ${id}` }))
  await turn()
  expect(gates.running()).toBe(2)
  const stopped = working.stop()
  for (let index = 0; index < ids.length; index++) {
    expect(gates.running()).toBeLessThanOrEqual(2)
    gates.open[index]?.()
    await turn()
  }
  await stopped
  expect((await requesting.stop()).actor?.results).toEqual(ids.map((id) => `${id}: result Processed: data ${id}`))
})

it('prints what it says it prints', async () => {
  const lines = await printedBy(() => import('./demo.ts'))
  const digestOf = async (file: string) =>
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
      .slice(0, 8)
  const results = lines.filter((line) => line.startsWith('requester'))
  expect(results.map((line) => line.replace(/ENOENT.*/, 'ENOENT')).sort()).toEqual([
    `requester: task 0: result ${await digestOf('package.json')} package.json`,
    `requester: task 1: result ${await digestOf('README.md')} README.md`,
    'requester: task 2: error Error: ENOENT',
    `requester: task 3: result ${await digestOf('LICENSE')} LICENSE`,
    `requester: task 4: result ${await digestOf('CHANGELOG.md')} CHANGELOG.md`,
  ])
  expect(lines.filter((line) => line.startsWith('worker')).map((line) => line.split(',')[0])).toEqual(
    ids.map((id) => `worker: task ${id} taken`),
  )
  expect(lines.at(-1)).toBe('5 results for 5 requests')
})
