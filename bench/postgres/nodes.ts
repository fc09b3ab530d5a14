// How fast one, two or four nodes perform what waits for them, and how long one takes to begin what another process starts.
import { check, quantiles, wait, type Quantiles } from '../measure.ts'
import type { Within } from '../postgres-server.ts'
import { openOn, noop, startMany } from '../queue/ours.ts'
import { jobOf } from '../queue/work.ts'
import { withNode, withNodes, type NodeProcess } from './node-process.ts'
import { countRuns } from './place.ts'

// Long enough that whatever follows the end of a run is over before the next.
const restMs = 10
const warmUp = 200

/** Runs a second, from the first that one of them has performed to the last. */
export const paceOfNodes = (fresh: Within, nodes: number, count: number): Promise<number> =>
  fresh(async (store) => {
    const client = await openOn(store)
    await startMany(client, count)
    await client.stop()
    const perSecond = await withNodes(store, nodes, async (all) => {
      let left = count
      let firstAt = 0
      let tellDone: (line: string) => void = () => {}
      const done = new Promise<string>((resolve) => {
        tellDone = resolve
      })
      const hearAll = async ({ hear }: NodeProcess): Promise<void> => {
        while (left > 0) {
          const line = await Promise.race([hear(), done])
          if (line === '') return
          firstAt ||= performance.now()
          left -= Number(line)
        }
        tellDone('')
      }
      for (const node of all) node.start()
      await Promise.all(all.map(hearAll))
      return (count / (performance.now() - firstAt)) * 1_000
    })
    check('runs finished', (await countRuns(store)).finished, count)
    return perSecond
  })

/** Milliseconds from a call in this process to the first line of its handler in another, while nothing else goes on. */
export const latencyOfOther = (fresh: Within, count: number): Promise<Quantiles> =>
  fresh((store) =>
    withNode(store, 'begins', async (node) => {
      const client = await openOn(store)
      node.start()
      const times: number[] = []
      for (let i = -warmUp; i < count; i++) {
        const calledAt = process.hrtime.bigint()
        await client.call(noop, jobOf(i))
        const tookMs = Number(BigInt(await node.hear()) - calledAt) / 1e6
        if (i >= 0) times.push(tookMs)
        await wait(restMs)
      }
      await client.stop()
      return quantiles(times)
    }),
  )
