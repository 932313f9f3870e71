-- References, the names that were held for them, and the stored rules. Unique keys stay.
drop function append;
delete from unique_key where key = stream;
alter table head drop column rules;
drop table rule, reference;
