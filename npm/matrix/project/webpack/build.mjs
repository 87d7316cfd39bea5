// What `webpack` does for a project without a configuration, but for where its files are.
import webpack from 'webpack';

const folder = import.meta.dirname;
webpack({ mode: 'production', context: folder, entry: './main.js', output: { path: `${folder}/dist`, filename: 'main.js' } }, (error, stats) => {
  if (error) throw error;
  if (stats.hasErrors()) {
    console.error(stats.toString());
    process.exitCode = 1;
  }
});
