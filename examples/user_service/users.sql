-- The users, tracked; and the columns that the rules for this audit ask for, over the trail's own.
-- A change without who and which process is refused. Nobody writes the trail but its triggers: rules that swallow an UPDATE are not needed.
create table users (
  id bigint primary key,
  email text not null
);

select vestige.track('users', require => '{actor,business_process}', classification => 'confidential', tags => '{GDPR}', retention => '7 years');

create view user_audit_log as
select
  id as audit_id,
  changed_at as event_timestamp,
  record_id::bigint as user_id,
  changed_by::bigint as initiated_by_user_id,
  business_process,
  request_id,
  session_id,
  action as operation_type,
  table_name,
  old_values,
  new_values,
  changed_fields,
  auth_method as authorization_method,
  auth_role as authorized_by_role,
  ip_address,
  user_agent,
  data_classification,
  retention_category,
  compliance_tags
from vestige.audit_log
where table_name = 'users';
