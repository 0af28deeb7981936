-- An application's role needs nothing: capture runs as the owner of the trail. It may say its
-- context; everything else is for the owner, and for those whom the owner lets in.
revoke all on all tables in schema vestige from public;
revoke all on all sequences in schema vestige from public;
revoke all on all functions in schema vestige from public;
grant usage on schema vestige to public;
grant execute on function vestige.set_context(jsonb) to public;

-- The first partitions, or those that are missing. Writes go on without; doctor says when they are.
do $partitions$
begin
  perform vestige.maintain(3);
exception when lock_not_available then
  null;
end
$partitions$;
