/** The services of a cluster, by what they declare. */
import { ATTACKS_SERVICE } from '@facet/attacks';
import { EVALUATION_SERVICE } from '@facet/evaluation';
import { FEATURES_SERVICE } from '@facet/features';
import { GATEWAY_SERVICE } from '@facet/gateway';
import { INGESTION_SERVICE } from '@facet/ingestion';
import { type ServiceDeclaration } from '@facet/runtime';
import { TRAINING_SERVICE } from '@facet/training';

export const SERVICES: readonly ServiceDeclaration[] = [
  INGESTION_SERVICE,
  FEATURES_SERVICE,
  ATTACKS_SERVICE,
  EVALUATION_SERVICE,
  TRAINING_SERVICE,
  GATEWAY_SERVICE,
];
