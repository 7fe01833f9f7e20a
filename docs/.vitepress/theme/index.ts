/** The theme of VitePress with the look of the dashboard. Its web font is left out: the pages use the system's. */
import theme from 'vitepress/theme-without-fonts';
import '../../../packages/telemetry/src/look/tokens.css';
import './colours.css';

export default theme;
