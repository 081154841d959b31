suppressMessages(library(mmrm)); library(jsonlite)
write.csv(fev_data,'fev_data.csv',row.names=FALSE)
out<-list()
for(cv in c('us','cs','ar1','toep')){ 
 f<-as.formula(paste0('FEV1 ~ RACE + SEX + ARMCD * AVISIT + ',cv,'(AVISIT | USUBJID)'))
 for(m in c('Kenward-Roger','Satterthwaite')){ vc<- if(m=='Kenward-Roger') 'Kenward-Roger' else 'Asymptotic'
 fit<-mmrm(f,data=fev_data,method=m,vcov=vc); s<-summary(fit)$coefficients
 out[[paste(cv,m)]]<-list(coef=as.data.frame(s),terms=rownames(s),loglik=as.numeric(logLik(fit)),theta=as.numeric(fit$theta_est),varcor=unclass(VarCorr(fit)))
 if(cv=='us'&&m=='Kenward-Roger'){
  fl<-mmrm(f,data=fev_data,method=m,vcov='Kenward-Roger-Linear'); sl<-summary(fl)$coefficients; out[['us KR-linear']]<-list(coef=as.data.frame(sl),terms=rownames(sl))}
 }}
writeLines(toJSON(out,digits=12,auto_unbox=TRUE),'mmrm_fev.json')
