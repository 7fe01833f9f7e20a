/** The theme of VitePress in the colours of the dashboard. Its web font is left out: the pages use the system's. */
import theme from 'vitepress/theme-without-fonts';
import './colours.css';

export default theme;
