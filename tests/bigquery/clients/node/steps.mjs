// @google-cloud/bigquery, run against the emulator that BIGQUERY_EMULATOR_HOST names.
// Arguments: the dataset, the prefix of the trips, a CSV file, the table of many numbers.
// Prints what came of each step as one JSON object.

import {BigQuery} from '@google-cloud/bigquery';
import {PassThroughClient} from 'google-auth-library';

const [datasetId, trips, csv, numbers] = process.argv.slice(2);
// The client looks for credentials even where it is led to an emulator, unless it is told that it needs none.
const authClient = new PassThroughClient();
const bigquery = new BigQuery({projectId: process.env.GOOGLE_CLOUD_PROJECT, authClient});
const dataset = bigquery.dataset(datasetId);
const schema = [{name: 'id', type: 'INTEGER', mode: 'REQUIRED'}, {name: 'name', type: 'STRING'}];

const steps = {
  async tableIsMade() {
    await bigquery.createDataset(datasetId);
    const [table] = await dataset.createTable('t', {schema});
    return [(await dataset.getTables())[0].map((found) => found.id), (await table.exists())[0]];
  },

  async fileIsLoaded() {
    const [job] = await dataset.table('t').load(csv, {sourceFormat: 'CSV', skipLeadingRows: 1});
    await dataset.table('t').insert([{id: 3, name: 'three'}]);
    const [rows] = await bigquery.query(`SELECT * FROM ${datasetId}.t ORDER BY id`);
    return [job.status.state, rows];
  },

  async parametersAreBound() {
    const [named] = await bigquery.query({
      query: 'SELECT @text AS text, @day AS day, @ids AS ids, @pair.a AS a',
      params: {text: "it's", day: BigQuery.date('2024-02-29'), ids: [1, 2], pair: {a: true}},
    });
    const [positional] = await bigquery.query({query: 'SELECT ? - ? AS difference', params: [1, 2.5]});
    return [named[0].text, named[0].day.value, named[0].ids, named[0].a, positional[0].difference];
  },

  async manyRowsArePaged() {
    const [, many, name] = numbers.split('.');
    let query = {maxResults: 30000, autoPaginate: false};
    const sizes = [];
    while (query) {
      const [page, next] = await bigquery.dataset(many).table(name).getRows(query);
      sizes.push(page.length);
      query = next;
    }
    let total = 0;
    for await (const row of bigquery.createQueryStream(`SELECT x FROM \`${numbers}\``)) {
      total += row.x;
    }
    return [sizes, total];
  },

  async externalTableIsMade() {
    await dataset.createTable('trips', {
      externalDataConfiguration: {
        sourceFormat: 'PARQUET',
        sourceUris: [`${trips}/*`],
        autodetect: true,
        hivePartitioningOptions: {mode: 'CUSTOM', sourceUriPrefix: `${trips}/{month:DATE}`},
      },
    });
    const [rows] = await bigquery.query(`SELECT id, month FROM ${datasetId}.trips WHERE month = '2020-05-01'`);
    return rows.map((row) => [row.id, row.month.value]);
  },

  async errorsAreTold() {
    const [wrong, missing] = await Promise.allSettled([
      bigquery.query('SELECT nothing'),
      dataset.table('missing').getMetadata(),
    ]);
    return [wrong.reason.message, wrong.reason.code, missing.reason.message, missing.reason.code];
  },
};

const report = {};
for (const [name, step] of Object.entries(steps)) {
  report[name] = await step();
}
console.log('REPORT ' + JSON.stringify(report));
