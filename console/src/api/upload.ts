import type { ColumnMapping, ImportPreview, ImportView } from '#domain/api.ts';
import { failureOf, request } from './request.ts';

/** What a preview needs of a file. */
const PREVIEW_BYTES = 64 * 1024;

/** Columns, first rows and guesses of a file; sends its beginning only. */
export function previewFile(file: File): Promise<ImportPreview> {
  const form = new FormData();
  form.append('file', file.slice(0, PREVIEW_BYTES), file.name);
  return request('/api/imports/preview', { method: 'POST', form });
}

/** Imports a file; `onProgress` gets the share that has been sent, 0–1. */
export function importFile(
  file: File,
  mapping: ColumnMapping,
  onProgress: (ratio: number) => void,
): Promise<ImportView> {
  const form = new FormData();
  form.append('mapping', JSON.stringify(mapping));
  form.append('file', file, file.name);
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open('POST', '/api/imports');
    xhr.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    xhr.addEventListener('load', () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve(JSON.parse(xhr.responseText) as ImportView);
      else reject(failureOf(xhr.status, xhr.responseText));
    });
    xhr.addEventListener('error', () => reject(failureOf(0, '')));
    xhr.send(form);
  });
}
