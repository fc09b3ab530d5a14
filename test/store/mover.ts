// A process that moves a store and is killed with the slice it is told, in the midst of it.
import { moveStore } from '../../src/store/moving/moving.ts'
import { givenToChild } from './children.ts'

const { from, to, slices } = givenToChild<{ from: string; to: string; slices: number }>()

let seen = 0
await moveStore(from, to, {
  resume: true,
  onProgress: () => {
    seen += 1
    if (seen === slices) process.kill(process.pid, 'SIGKILL')
  },
})
console.log(JSON.stringify({ seen }))
