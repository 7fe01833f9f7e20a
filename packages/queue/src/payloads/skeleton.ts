/**
 * The dictionary of sources that have none of their own: names and constants of Synthflow's webhook after a call, in the order
 * in which they come (https://docs.synthflow.ai/getting-your-call-data-out-of-synthflow), and no words of a call.
 *
 * Payloads that were compressed with it are read with it, so it never changes: another one would be a second constant.
 */
const ANALYSIS =
  '"analysis":{"persona":"true","style":"true","steps":"true","no_repetition":"true","objections":"not_applicable","objection_not_defined":"not_applicable","knowledge":"true","goal":"true","goal_feedback":"","appointment":"not_applicable","user_sentiment":"true","agent_sentiment":"true","call_completion":"true","answered_by_human":"True","answered_by_human_feedback":"","opted_in":"not_applicable","no_opt_out":"true","call_summary":"true","judge_found_partial_or_error":"false","judge_found_full_error":"false","all_feedback":""}';
const ACTION =
    '"info_extractor_":{"name":"info_extractor_","action_type":"extract_info_action_type","description":"","parameters_hard_coded":{"identifier":"","condition":"","choices":["',
  ACTION_END =
    '"],"examples":null},"parameters_from_llm":"{}","error_message":null,"return_value":{"":""},"return_value_status":"","is_relevant_action":"true","timestamp_datetime":"2026-","timestamp":"17"}';

export const SKELETON = Buffer.from(
  [
    '{"status":"no-answer","end_call_reason":"undefined","recording_url":null,"executed_actions":{},"analysis":{},"collected_variables":null}',
    '"status":"busy","failed","hangup_on_voicemail","left_voicemail","queue","in-progress","registered","telephony_provider":"","answered_by":"machine","human"',
    '"end_call_reason":"voicemail","agent_goodbye","human_pick_up_cut_off","max_duration","transfer","error","phone_number_from":"+","phone_number_to":"+"',
    `{"status":"completed","error_message":"","lead":{"name":"","phone_number":"+","prompt_variables":{"":""}},"call":{"status":"completed","end_call_reason":"human_goodbye","model_id":"","timezone":"America/New_York","call_id":"","duration":,"start_time":"2026-","transcript":"\\nbot: Hello, this is\\nhuman: Yes\\nbot: ","recording_url":"https://`,
    `.mp3"},"executed_actions":{${ACTION}${ACTION_END},${ACTION}${ACTION_END}},`,
    `${ANALYSIS},"collected_variables":{"":{"value":"","collected":true},"":{"value":null,"collected":false}}}`,
  ].join(''),
);
