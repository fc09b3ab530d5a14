// Priority with ageing: what is urgent goes first, and one slot in eight goes to what is oldest.
import { same, settle, type Cases, type Scene } from './scene.ts'

export const ageingCases: Cases = {
  'gives each eighth slot to the oldest run, whatever its priority': async (scene) => {
    await start(scene, ['old'], -100)
    await start(scene, ['older than young', 'young'], -3)
    await start(scene, names('urgent', 20), 100)
    same(await claim(scene, 0, 8), [...names('urgent', 7), 'old'])
    same(await claim(scene, 8, 2), ['urgent 8', 'urgent 9'])
    same(await claim(scene, 10, 8), [
      ...names('urgent', 14).slice(9),
      'older than young',
      ...names('urgent', 16).slice(14),
    ])
  },

  'counts slots over claims of one run each': async (scene) => {
    await start(scene, ['old'], 0)
    await start(scene, names('urgent', 8), 1)
    const claimed: string[] = []
    for (let taken = 0; taken < 9; taken++) claimed.push(...(await claim(scene, taken, 1)))
    same(claimed, [...names('urgent', 7), 'old', 'urgent 8'])
  },

  'takes the oldest of several priorities in the order of their age': async (scene) => {
    await start(scene, ['a'], 1)
    await start(scene, ['b'], 3)
    await start(scene, ['c', 'd'], 1)
    await start(scene, ['e'], 2)
    await start(scene, names('urgent', 40), 9)
    const claimed = await claim(scene, 0, 40)
    same(
      claimed.filter((id) => !id.startsWith('urgent')),
      ['a', 'b', 'c', 'd', 'e'],
    )
  },

  'finds the oldest only among the definitions it is asked for, and in its queue': async (scene) => {
    const other = await scene.store.internDefinition('crop', '1')
    await start(scene, ['elsewhere'], { queueId: await scene.store.internQueue('elsewhere') })
    await start(scene, ['another kind'], { definitionId: other })
    await start(scene, ['old'], 0)
    await start(scene, names('urgent', 8), 1)
    same((await claim(scene, 0, 8)).at(-1), 'old')
  },

  'leaves nothing waiting for ever behind what is more urgent': async (scene) => {
    await start(scene, ['old'], -100)
    for (let taken = 0; taken < 8; taken++) {
      await start(scene, [`urgent ${taken}`], 100)
      if ((await claim(scene, taken, 1))[0] === 'old') return
    }
    throw new Error('The old run starved')
  },
}

const names = (name: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${name} ${n + 1}`)

type Values = number | Parameters<Scene['start']>[0]

/** Starts runs; a number is their priority. */
async function start(scene: Scene, ids: readonly string[], values: Values): Promise<void> {
  const given = typeof values === 'number' ? { priority: values } : values
  await scene.client.commit({ starts: ids.map((id) => scene.startRecord({ ...given, id })) })
}

/** Claims and ends runs; tells their ids. */
async function claim(scene: Scene, taken: number, want: number): Promise<string[]> {
  const { claimed } = await scene.node.commit({ claims: [scene.claimRequest({ taken, want })] })
  const runs = claimed[0] ?? []
  await scene.node.commit({ settles: runs.map(({ held }) => settle(held)) })
  return runs.map(({ id }) => id)
}
