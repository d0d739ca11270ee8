import type { MediaDescription, SdpAttribute, SdpConnection, SdpLine, SessionDescription } from './parse.ts';

/** The text of a description: lines in the order of RFC 8866 §5, each ended by CRLF. */
export function writeSdp(description: SessionDescription): string {
  const { origin, name, connection, times, attributes, lines, media } = description;
  let text = 'v=0\r\n';
  text += `o=${origin.username} ${origin.sessionId} ${origin.sessionVersion} IN ${origin.addressType} ${origin.address}\r\n`;
  text += `s=${name === '' ? '-' : name}\r\n`;
  text += pick(lines, 'iuep');
  text += writeConnection(connection);
  text += pick(lines, 'b');
  for (const time of times) text += `t=${time}\r\n`;
  text += pick(lines, 'rzk');
  text += writeAttributes(attributes);
  for (const section of media) text += writeMedia(section);
  return text;
}

function writeMedia(media: MediaDescription): string {
  const port = media.portCount === 1 ? String(media.port) : `${media.port}/${media.portCount}`;
  let text = `m=${media.kind} ${port} ${media.protocol} ${media.formats.join(' ')}\r\n`;
  text += pick(media.lines, 'i');
  text += writeConnection(media.connection);
  text += pick(media.lines, 'bk');
  return text + writeAttributes(media.attributes);
}

function pick(lines: readonly SdpLine[], types: string): string {
  let text = '';
  for (const type of types) for (const line of lines) if (line.type === type) text += `${type}=${line.value}\r\n`;
  return text;
}

function writeConnection(connection: SdpConnection | undefined): string {
  return connection === undefined ? '' : `c=IN ${connection.addressType} ${connection.address}\r\n`;
}

function writeAttributes(attributes: readonly SdpAttribute[]): string {
  let text = '';
  for (const { name, value } of attributes) text += value === undefined ? `a=${name}\r\n` : `a=${name}:${value}\r\n`;
  return text;
}
