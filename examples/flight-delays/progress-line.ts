// One line that moves on a terminal, and a few plain ones in a pipe.

const barWidth = 28
const clearLine = '\r\u001b[2K'

/** Draws progress on standard error, so that standard output holds the result alone. */
export function progressLine(title: string, out: NodeJS.WriteStream = process.stderr) {
  let current = ''
  let lastTenth = -1

  const draw = (done: number, total: number, stage: string): void => {
    const filled = Math.round((done / total) * barWidth)
    current = `${title}  ${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}  ${done}/${total} ${stage}`
    const tenth = Math.floor((done / total) * 10)
    if (out.isTTY) out.write(clearLine + current.slice(0, (out.columns ?? 80) - 1))
    else if (tenth > lastTenth) out.write(`${title}: ${done} of ${total}, ${stage}\n`)
    lastTenth = Math.max(lastTenth, tenth)
  }

  /** A line that stays, above the one that moves. */
  const say = (text: string): void => {
    out.write(out.isTTY ? `${clearLine}${text}\n${current}` : `${text}\n`)
  }

  const end = (): void => {
    if (out.isTTY && current !== '') out.write('\n')
  }

  return { draw, say, end }
}
