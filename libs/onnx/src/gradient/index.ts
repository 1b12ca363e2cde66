export { appendGradients, differentiable } from './gradients.js';
