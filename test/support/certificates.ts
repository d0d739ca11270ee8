import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whether this machine has openssl, which makes the certificates of tests. */
export const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** A certificate that signed itself, as PEM texts and as files. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly files: { readonly certificate: string; readonly key: string };
}

/** Makes one for the names, for example `DNS:edge.example,IP:127.0.0.1`; `expired` ran out yesterday. */
export function makeCertificate(folder: string, name: string, names: string, expired = false): TestCertificate {
  const files = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const day = (days: number): string =>
    `${new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
  const run = (...words: string[]): void => void execFileSync('openssl', words, { stdio: 'pipe', cwd: folder });
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`];
  const keyed = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', files.key];
  if (!expired) run('req', '-x509', ...keyed, ...subject, '-days', '2', '-out', files.certificate);
  else {
    // `req -x509` of older versions takes no dates; `ca` does.
    run('req', ...keyed, ...subject, '-out', `${name}.csr`);
    execFileSync('bash', ['-c', `mkdir -p ${name}-ca && : > ${name}-ca/index && echo 01 > ${name}-ca/serial`], {
      cwd: folder,
    });
    const config = `[ca]\ndefault_ca=d\n[d]\ndatabase=${name}-ca/index\nserial=${name}-ca/serial\nnew_certs_dir=${name}-ca\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n`;
    execFileSync('bash', ['-c', `cat > ${name}.cnf`], { cwd: folder, input: config });
    const dates = ['-startdate', day(-3), '-enddate', day(-1)];
    const what = ['-in', `${name}.csr`, '-keyfile', files.key, '-out', files.certificate, '-notext'];
    run('ca', '-batch', '-selfsign', '-config', `${name}.cnf`, ...what, ...dates);
  }
  return { certificate: readFileSync(files.certificate, 'utf8'), key: readFileSync(files.key, 'utf8'), files };
}
