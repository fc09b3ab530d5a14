// Work of some turns that counts how many of it are at it at once, and in all.
import { turns } from './stage.ts'

export function gauge(workTurns = 1) {
  let now = 0
  const seen = { most: 0, all: 0 }
  const work = async (): Promise<void> => {
    seen.all += 1
    seen.most = Math.max(seen.most, ++now)
    await turns(workTurns)
    now -= 1
  }
  return { work, seen }
}
