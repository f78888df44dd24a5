import type { ContentBlock } from '../../wire/content.ts';
import { count } from '../lib/time.ts';
import { createField, type Field } from '../lib/ui.ts';

export type ImageBlock = Extract<ContentBlock, { type: 'image' }>;

const drafts = new Map<string, Field<readonly ImageBlock[]>>();

/** The pictures of the message that is being written; unlike its words they are not kept over a reload. */
export function imagesOf(session: string): Field<readonly ImageBlock[]> {
  const field = drafts.get(session) ?? createField<readonly ImageBlock[]>([]);
  drafts.set(session, field);
  return field;
}

/** What every model server and agent reads. */
export const imageTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const;
/** Of one message. All of it goes through one request, one fact and one frame to every page. */
const most = 6;
const mostBytes = 1_500_000;
/** A larger one is made smaller first: models look at no more than this anyway. */
const plainBytes = 400_000;
const longestSide = 1600;
/** What is too large to be worth reading. */
const largestFile = 25_000_000;

export interface Read {
  readonly images: readonly ImageBlock[];
  /** Why some were not taken, a sentence each. */
  readonly refused: readonly string[];
}

const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB`;
const bytesOf = (image: ImageBlock) => Math.floor((image.data.length * 3) / 4);

/** Image files as blocks of a message that already has `held`. */
export async function readImages(files: readonly File[], held: readonly ImageBlock[]): Promise<Read> {
  const images: ImageBlock[] = [];
  const refused: string[] = [];
  for (const file of files) {
    const name = file.name || 'The picture';
    const known = [...held, ...images];
    if (!imageTypes.some((type) => type === file.type)) {
      refused.push(`${name} is no picture that can be sent: PNG, JPEG, GIF and WebP can.`);
    } else if (known.length >= most) {
      refused.push(`${name} was left out: a message carries at most ${count(most, 'picture')}.`);
    } else if (file.size > largestFile) {
      refused.push(
        `${name} is too large: ${megabytes(file.size)}, and ${megabytes(largestFile)} is the most.`,
      );
    } else {
      const image = await read(file).catch(() => undefined);
      if (!image) refused.push(`${name} cannot be read: it may be damaged.`);
      else if (known.reduce((sum, one) => sum + bytesOf(one), bytesOf(image)) > mostBytes) {
        refused.push(
          `${name} was left out: the pictures of a message come to at most ${megabytes(mostBytes)}.`,
        );
      } else images.push(image);
    }
  }
  return { images, refused };
}

async function read(file: File): Promise<ImageBlock> {
  const bitmap = await createImageBitmap(file);
  try {
    const blob = file.size > plainBytes ? await smaller(bitmap) : file;
    return { type: 'image', mimeType: blob.type, data: base64(new Uint8Array(await blob.arrayBuffer())) };
  } finally {
    bitmap.close();
  }
}

async function smaller(bitmap: ImageBitmap): Promise<Blob> {
  const scale = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(bitmap.width * scale)),
    Math.max(1, Math.round(bitmap.height * scale)),
  );
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  // JPEG has no transparency: what shows through is paper.
  context.fillStyle = 'white';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.85 });
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary);
}

/** The files of a paste or a drop; none when it brings text alone. */
export const filesOf = (data: DataTransfer | null): File[] => [...(data?.files ?? [])];
