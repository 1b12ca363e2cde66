/**
 * Security headers of every answer. The API shows nothing in a browser, and its two pages (the report and the
 * documentation) load nothing: they bring their style and pictures with them.
 */
import type { ServerResponse } from 'node:http';

const NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const OWN_PAGE = `${NOTHING}; style-src 'unsafe-inline'; img-src data:`;

export function setSecurityHeaders(response: ServerResponse, type = ''): void {
  response.setHeader('content-security-policy', type.startsWith('text/html') ? OWN_PAGE : NOTHING);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-frame-options', 'DENY');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  response.setHeader('strict-transport-security', 'max-age=31536000');
  // Faces and tokens: nothing on the way keeps a copy.
  response.setHeader('cache-control', 'no-store');
}
