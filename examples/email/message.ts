// A mail as it travels: headers and text, lines ended by CRLF, nothing but ASCII.

export interface Mail {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly date: Date
}

// RFC 5322: no line of a mail is longer.
const longestLine = 998

export function composed(mail: Mail, messageId: string): string {
  const lines = mail.text.replace(/\r?\n$/, '').split(/\r\n|\r|\n/)
  const isPlain = lines.every((line) => isAscii(line) && line.length <= longestLine)
  return [
    `From: <${mail.from}>`,
    `To: <${mail.to}>`,
    `Subject: ${isAscii(mail.subject) ? mail.subject : encodedWords(mail.subject)}`,
    `Date: ${mail.date.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: ${messageId}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Transfer-Encoding: ${isPlain ? '7bit' : 'base64'}`,
    '',
    ...(isPlain ? lines : base64Lines(`${lines.join('\r\n')}\r\n`)),
    '',
  ].join('\r\n')
}

function isAscii(text: string): boolean {
  return /^[\t -~]*$/.test(text)
}

/** RFC 2047. Ten characters are at most 40 bytes, which keeps a word below the 75 letters it may have. */
function encodedWords(text: string): string {
  const parts = text.match(/.{1,10}/gsu) ?? []
  return parts.map((part) => `=?utf-8?B?${Buffer.from(part).toString('base64')}?=`).join('\r\n ')
}

function base64Lines(text: string): string[] {
  return (
    Buffer.from(text)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  )
}
