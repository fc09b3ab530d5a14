// A progress bar of any width, drawn in half cells.
import type { Paint } from './paint.ts'

/** The part that is done, from 0 to 1; undefined when there is nothing to measure. */
export function shareOf(progress: { readonly done: number; readonly total: number } | undefined): number | undefined {
  if (progress === undefined || !(progress.total > 0)) return undefined
  return Math.min(1, Math.max(0, progress.done / progress.total))
}

/** `━━━━━━╸─────`: it is full only when all is done, and shows something as soon as anything is. */
export function drawBar(share: number, width: number, paint: Paint): string {
  const halves = share >= 1 ? width * 2 : Math.min(width * 2 - 1, Math.ceil(share * width * 2))
  const full = '━'.repeat(Math.floor(halves / 2))
  const half = halves % 2 === 1 ? '╸' : ''
  const rest = '─'.repeat(width - full.length - half.length)
  return paint(share >= 1 ? 'green' : 'cyan', full + half) + (rest === '' ? '' : paint('dim', rest))
}

/** `58%`; 100% is said only when all is done. */
export function percent(share: number): string {
  return `${Math.floor(share * 100 + 1e-9)}%`
}
