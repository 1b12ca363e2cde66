/**
 * KEDA's operator, as it is, beside the API server instead of in a pod: who scales from none to one and back. Its metrics
 * adapter, by which Kubernetes' own autoscaler goes on from one, is not started.
 */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateFiles, freePort, LocalServer, needProgram } from '@facet/local';

/** Resolves when it says that it is ready. @param tls for the port at which its adapter would ask it for metrics */
export async function startKeda(kubeconfig: string, tls: CertificateFiles): Promise<LocalServer> {
  const path = needProgram('keda-operator');
  const metricsPort = await freePort();
  return LocalServer.start({
    name: 'keda-operator',
    async command(port, folder) {
      const named = { 'ca.crt': tls.ca, 'tls.crt': tls.certificate, 'tls.key': tls.key };
      for (const [name, file] of Object.entries(named)) await copyFile(file, join(folder, name));
      return {
        path,
        args: [
          ...[`--kubeconfig=${kubeconfig}`, `--cert-dir=${folder}`, '--enable-prometheus-metrics=false'],
          `--health-probe-bind-address=127.0.0.1:${port}`,
          `--metrics-service-bind-address=127.0.0.1:${metricsPort}`,
        ],
        env: { WATCH_NAMESPACE: '', POD_NAMESPACE: 'keda', KEDA_CLUSTER_OBJECT_NAMESPACE: 'keda' },
      };
    },
    async probe(port) {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`);
      if (!response.ok) throw new Error(`/readyz says ${response.status}`);
    },
  });
}
